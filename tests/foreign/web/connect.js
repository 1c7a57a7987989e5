// The client of @connectrpc/connect-web: gRPC-Web in binary, by fetch.
import { ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcWebTransport } from '@connectrpc/connect-web'

export class ConnectClient {
  constructor(url, metadata) {
    this.transport = createGrpcWebTransport({ baseUrl: url })
    this.metadata = metadata
  }

  unary(method, request) {
    return this.#call(method, request)
  }

  // Hands each response to `received`; the promise ends with the stream, and `signal` cancels it.
  async stream(method, request, received, signal) {
    for await (const response of this.#call(method, request, signal)) received(response)
  }

  // The messages in the details of an error.
  details(error, registry) {
    return ConnectError.from(error).findDetails(registry)
  }

  #call(method, request, signal) {
    const client = createClient(method.parent, this.transport)
    return client[method.localName](request, { signal, headers: this.metadata })
  }
}
