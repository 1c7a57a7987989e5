"""Guards around every call, one file each; rpc/server.py lists them from the outermost to the innermost."""
