// Uploads one file by UploadChunk in Node, by gRPC-Web of @connectrpc/connect-web:
// chunk_upload.cjs URL DESCRIPTORS FILE CALLS, with so many calls under way at once.
const fs = require('node:fs')
const path = require('node:path')
const { createFileRegistry, fromBinary } = require('@bufbuild/protobuf')
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')
const { createClient } = require('@connectrpc/connect')
const { createGrpcWebTransport } = require('@connectrpc/connect-web')

const [baseUrl, descriptors, name, calls] = process.argv.slice(2)
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(descriptors)))
const client = createClient(registry.getService('video.UploadService'), createGrpcWebTransport({ baseUrl }))

async function main() {
  const file = await fs.promises.open(name)
  const size = (await file.stat()).size
  const { upload } = await client.beginUpload({
    name: path.basename(name),
    fileType: 'video',
    size: BigInt(size),
    fresh: true
  })
  let next = 0
  let last
  async function send() {
    while (next < upload.totalChunks) {
      const chunkIndex = next++
      const start = chunkIndex * upload.chunkSize
      const data = new Uint8Array(Math.min(upload.chunkSize, size - start))
      await file.read(data, 0, data.length, start)
      const stored = await client.uploadChunk({ uploadId: upload.uploadId, chunkIndex, data })
      if (stored.upload.status === 'completed') last = stored.upload
    }
  }
  await Promise.all(Array.from({ length: Number(calls) }, send))
  if (!last) throw new Error('the upload is not complete')
}

main()
