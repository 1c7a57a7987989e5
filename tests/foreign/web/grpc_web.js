// The client of Google's grpc-web, by XMLHttpRequest: gRPC-Web in binary, or in text, which alone can stream.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { anyUnpack } from '@bufbuild/protobuf/wkt'
import { base64Decode } from '@bufbuild/protobuf/wire'
import { GrpcWebClientBase, MethodDescriptor, MethodType } from 'grpc-web'

export class GoogleClient {
  constructor(url, metadata, format) {
    this.client = new GrpcWebClientBase({ format, maxReceiveMessageSize: 0 })
    this.url = url
    this.metadata = metadata
  }

  unary(method, request) {
    return new Promise((resolve, reject) => {
      const done = (error, response) => (error ? reject(error) : resolve(response))
      this.client.rpcCall(...this.#arguments(method, request, MethodType.UNARY), done)
    })
  }

  // Hands each response to `received`; the promise ends with the stream, and `signal` cancels it.
  stream(method, request, received, signal) {
    return new Promise((resolve, reject) => {
      const call = this.client.serverStreaming(...this.#arguments(method, request, MethodType.SERVER_STREAMING))
      call.on('data', received)
      call.on('error', reject)
      call.on('end', resolve)
      signal.addEventListener('abort', () => {
        call.cancel()
        resolve()
      })
    })
  }

  // The messages in the details of an error.
  details(error, registry) {
    const encoded = error.metadata?.['grpc-status-details-bin']
    if (!encoded) return []
    const status = fromBinary(registry.getMessage('google.rpc.Status'), base64Decode(encoded))
    return status.details.map((detail) => anyUnpack(detail, registry))
  }

  #arguments(method, request, type) {
    const path = `/${method.parent.typeName}/${method.name}`
    const encode = (message) => toBinary(method.input, message)
    const decode = (bytes) => fromBinary(method.output, bytes)
    const descriptor = new MethodDescriptor(path, type, Object, Object, encode, decode)
    return [this.url + path, create(method.input, request), this.metadata, descriptor]
  }
}
