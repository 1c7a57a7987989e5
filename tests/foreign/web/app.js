// The app's flow in a browser: upload by chunks, resume, create a task, poll it, fetch the result.
const POLL = 100 // milliseconds

export class App {
  // `call(method, request)` makes a unary call.
  constructor(url, token, call) {
    this.url = url
    this.token = token
    this.call = call
  }

  // Uploads the chunks of a file that are missing, or of these only those in `only`; returns what was sent.
  async upload(file, fileType, only = null) {
    const begin = { name: file.name, fileType, size: BigInt(file.size) }
    const begun = await this.call('video.UploadService.BeginUpload', begin)
    const stored = new Map(begun.chunks.map((chunk) => [chunk.index, chunk.crc32c]))
    let upload = begun.upload
    const sent = []
    const progress = []
    for (let index = 0; index < upload.totalChunks; index++) {
      const start = index * upload.chunkSize
      const data = new Uint8Array(await file.slice(start, start + upload.chunkSize).arrayBuffer())
      const checksum = crc32c(data)
      if (stored.get(index) !== checksum && (only === null || only.includes(index))) {
        const chunk = { uploadId: upload.uploadId, chunkIndex: index, data, crc32c: checksum }
        upload = (await this.call('video.UploadService.UploadChunk', chunk)).upload
        sent.push(index)
      }
      progress.push(Number(upload.storedBytes))
    }
    return { sent, progress, status: upload.status, fileUrl: upload.fileUrl }
  }

  // Creates a task, follows it to its end by polling, and returns its states.
  async swap(imageUrl, videoUrl) {
    const states = [await this.call('video.VideoService.CreateTask', { imageUrl, videoUrl })]
    while (['pending', 'processing'].includes(states.at(-1).status)) {
      await new Promise((resolve) => setTimeout(resolve, POLL))
      const { taskId } = states[0]
      states.push(await this.call('video.VideoService.GetTaskStatus', { taskId }))
    }
    return states
  }

  // The SHA-256 of a file of the server, fetched by HTTP.
  async sha256(path) {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${this.token}` } })
    const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer())
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

function crc32c(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
