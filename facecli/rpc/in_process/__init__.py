"""In-process transport: another transport of this process calls the methods of the gRPC server."""
