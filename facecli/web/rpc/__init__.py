"""The RPC services over HTTP: gRPC-Web and Connect, by connectrpc, with the methods of the gRPC server."""
