// Uploads one file by UploadChunk in Node: chunk_upload.cjs URL DESCRIPTORS FILE CALLS, with so many calls under way
// at once. The calls are gRPC-Web in binary over node:http on kept connections, without a client library: those
// for browsers copy each chunk several times. Messages are made by protobuf-es, but for the bytes of the chunk,
// the last field of a message, which go to the socket as they were read.
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { create, createFileRegistry, fromBinary, toBinary } = require('@bufbuild/protobuf')
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')

const [url, descriptors, name, calls] = process.argv.slice(2)
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(descriptors)))
const service = registry.getService('video.UploadService')
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(calls) })
const DATA = (4 << 3) | 2 // the tag of UploadChunkRequest.data

function varint(number) {
  const bytes = []
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128)
  return Buffer.from([...bytes, number])
}

function call(methodName, fields, data) {
  const method = service.methods.find((each) => each.name === methodName)
  let message = toBinary(method.input, create(method.input, fields))
  if (data) message = Buffer.concat([message, Buffer.from([DATA]), varint(data.length)])
  const size = message.length + (data ? data.length : 0)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(size, 1)
  const headers = { 'content-type': 'application/grpc-web+proto', 'content-length': size + 5 }
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}/video.UploadService/${methodName}`,
      { method: 'POST', agent, headers },
      (response) => {
        const parts = []
        response.on('data', (part) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const body = Buffer.concat(parts)
          if (body.length < 5 || body[0] !== 0) reject(new Error(`${methodName}: ${body.subarray(5)}`))
          else resolve(fromBinary(method.output, body.subarray(5, 5 + body.readUInt32BE(1))))
        })
      }
    )
    request.on('error', reject)
    request.write(Buffer.concat([head, message]))
    request.end(data)
  })
}

async function main() {
  const file = await fs.promises.open(name)
  const size = (await file.stat()).size
  const { upload } = await call('BeginUpload', {
    name: path.basename(name),
    fileType: 'video',
    size: BigInt(size),
    fresh: true
  })
  let next = 0
  let last
  async function send() {
    const buffer = Buffer.alloc(upload.chunkSize)
    while (next < upload.totalChunks) {
      const chunkIndex = next++
      const start = chunkIndex * upload.chunkSize
      const data = buffer.subarray(0, Math.min(upload.chunkSize, size - start))
      await file.read(data, 0, data.length, start)
      const stored = await call('UploadChunk', { uploadId: upload.uploadId, chunkIndex }, data)
      if (stored.upload.status === 'completed') last = stored.upload
    }
  }
  await Promise.all(Array.from({ length: Number(calls) }, send))
  if (!last) throw new Error('the upload is not complete')
  await file.close()
  agent.destroy()
}

main()
