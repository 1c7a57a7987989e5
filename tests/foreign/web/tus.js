// Uploads by tus: the options of both clients, and an upload by tus-js-client itself.
import { Upload } from 'tus-js-client'

const MISMATCH = 460 // the status that tus defines

// `given` has endpoint, token, chunkSize, and how many bodies to send with a wrong checksum; null for no checksums.
// Each response is recorded in `answers`.
export function options(file, given, answers) {
  let wrong = given.wrong
  return {
    endpoint: given.endpoint,
    headers: { authorization: `Bearer ${given.token}` },
    chunkSize: given.chunkSize ?? Number.POSITIVE_INFINITY,
    retryDelays: Array(1000).fill(100),
    onShouldRetry: (error) => [0, 409, MISMATCH].includes(error.originalResponse?.getStatus() ?? 0),
    async onBeforeRequest(request) {
      if (given.wrong === null || request.getMethod() !== 'PATCH') return
      const start = Number(request.getHeader('Upload-Offset'))
      const data = await file.slice(start, start + given.chunkSize).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
      if (wrong-- > 0) digest[0] ^= 1
      request.setHeader('Upload-Checksum', `sha256 ${btoa(String.fromCharCode(...digest))}`)
    },
    onAfterResponse(request, response) {
      answers.push({
        method: request.getMethod(),
        status: response.getStatus(),
        offset: response.getHeader('Upload-Offset'),
        expires: response.getHeader('Upload-Expires')
      })
    }
  }
}

export class TusUpload {
  constructor(file, given) {
    this.answers = []
    this.outcome = null // 'done', or an error
    this.upload = new Upload(file, {
      ...options(file, given, this.answers),
      metadata: { filename: file.name, filetype: file.type },
      onSuccess: () => (this.outcome = 'done'),
      onError: (error) => (this.outcome = String(error))
    })
  }

  // Continues the upload of this file that the browser remembers, or begins one.
  async start() {
    const [previous] = await this.upload.findPreviousUploads()
    if (previous) this.upload.resumeFromPreviousUpload(previous)
    this.upload.start()
  }

  pause() {
    return this.upload.abort()
  }

  resume() {
    this.upload.start()
  }

  get url() {
    return this.upload.url
  }
}
