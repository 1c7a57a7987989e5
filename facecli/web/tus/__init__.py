"""tus 1.0, the protocol of resumable uploads over HTTP, on the same uploads as gRPC."""
