// A page of another origin that calls a server by clients of others; tests drive it by `window.page`.
import { create, createFileRegistry, fromBinary, fromJson, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

import { App } from './app.js'
import { ConnectClient } from './connect.js'
import { GoogleClient } from './grpc_web.js'
import { TusUpload } from './tus.js'
import { UppyUpload } from './uppy.js'

const CLIENTS = {
  connect: (url, metadata) => new ConnectClient(url, metadata),
  'grpc-web': (url, metadata) => new GoogleClient(url, metadata, 'binary'),
  'grpc-web-text': (url, metadata) => new GoogleClient(url, metadata, 'text')
}

const UPLOADS = { 'tus-js-client': TusUpload, uppy: UppyUpload }

class Page {
  // Uses one of CLIENTS from now on. The server's descriptors are a FileDescriptorSet beside the page.
  async open(kind, url, token) {
    const descriptors = await (await fetch('descriptors.bin')).arrayBuffer()
    this.registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(descriptors)))
    this.client = CLIENTS[kind](url, token ? { authorization: `Bearer ${token}` } : {})
    this.app = new App(url, token, (name, request) => {
      const method = this.#method(name)
      return this.client.unary(method, create(method.input, request))
    })
  }

  // Uploads the chosen file; as `App.upload`.
  upload(fileType, only) {
    return this.app.upload(document.getElementById('file').files[0], fileType, only)
  }

  // Creates a task and follows it to its end; its states in JSON.
  async swap(imageUrl, videoUrl) {
    const schema = this.registry.getMessage('video.TaskResponse')
    const states = await this.app.swap(imageUrl, videoUrl)
    return states.map((state) => toJson(schema, state))
  }

  sha256(path) {
    return this.app.sha256(path)
  }

  // Calls a unary or streaming method to its end: all responses in JSON, or the error.
  async call(name, request) {
    const method = this.#method(name)
    const responses = []
    const received = (response) => responses.push(toJson(method.output, response))
    try {
      const message = fromJson(method.input, request)
      if (method.methodKind === 'server_streaming') {
        await this.client.stream(method, message, received, new AbortController().signal)
      } else {
        received(await this.client.unary(method, message))
      }
    } catch (error) {
      return { error: this.#described(error) }
    }
    return { responses }
  }

  // Opens a stream that tells what it received, and after how many seconds, in `stream`.
  watch(name, request) {
    const method = this.#method(name)
    const stream = (this.stream = { messages: [], seconds: [], ended: false, error: null })
    const started = performance.now()
    const received = (response) => {
      stream.messages.push(toJson(method.output, response))
      stream.seconds.push((performance.now() - started) / 1000)
    }
    this.abort = new AbortController()
    this.client
      .stream(method, fromJson(method.input, request), received, this.abort.signal)
      .catch((error) => (stream.error = this.#described(error)))
      .finally(() => (stream.ended = true))
  }

  cancel() {
    this.abort.abort()
  }

  // Prepares the upload of the chosen file by one of UPLOADS.
  prepare(kind, given) {
    this.transfer = new UPLOADS[kind](document.getElementById('file').files[0], given)
  }

  start() {
    return this.transfer.start()
  }

  pause() {
    return this.transfer.pause()
  }

  resume() {
    return this.transfer.resume()
  }

  #method(name) {
    const [service, method] = name.split(/\.(?=[^.]*$)/)
    return this.registry.getService(service).methods.find((each) => each.name === method)
  }

  #described(error) {
    const details = this.client.details(error, this.registry)
    return {
      code: error.code,
      message: error.rawMessage ?? error.message,
      details: details.map((each) => ({
        type: each.$typeName,
        ...toJson(this.registry.getMessage(each.$typeName), each)
      }))
    }
  }
}

window.page = new Page()
