// The app's calls from another language and gRPC implementation: Node's, built from the frozen proto alone.
//
//   node client.cjs '{"server": "127.0.0.1:50051", "ca": "ca.pem", "token": "…", "user": "ann", "image": "a.png", "video": "b.mp4"}'
//
// Uploads both files, creates a task and polls it until it ends; with "only": "upload" it uploads the picture only.
// Without "ca" the connection is not encrypted; "cert" and "key" are for a server that requires a client certificate.
// Prints each response as a line of JSON and exits with 0, or with the status code of the call that failed.
const fs = require('node:fs')
const path = require('node:path')
const grpc = require('@grpc/grpc-js')
const loader = require('@grpc/proto-loader')

const CHUNK = 10 * 1024 * 1024 // bytes
const POLL = 100 // milliseconds

const frozen = path.join(__dirname, '..', 'frozen', 'video_service.proto')
const { video } = grpc.loadPackageDefinition(loader.loadSync(frozen, { keepCase: true, defaults: true, longs: Number }))
const options = JSON.parse(process.argv[2])

function read(file) {
  return file ? fs.readFileSync(file) : null
}

function connect() {
  const credentials = options.ca
    ? grpc.credentials.createSsl(read(options.ca), read(options.key), read(options.cert))
    : grpc.credentials.createInsecure()
  return new video.VideoService(options.server, credentials)
}

function metadata() {
  const entries = new grpc.Metadata()
  if (options.token) entries.set('authorization', `Bearer ${options.token}`)
  return entries
}

function callOnce(name, start) {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      console.log(JSON.stringify(error ? { call: name, code: error.code, message: error.details } : { call: name, response }))
      if (error) reject(error)
      else resolve(response)
    })
  })
}

async function upload(client, file, type) {
  const bytes = fs.readFileSync(file)
  const total = Math.ceil(bytes.length / CHUNK)
  const response = await callOnce('UploadVideo', (done) => {
    const call = client.UploadVideo(metadata(), done)
    for (let index = 0; index < total; index++) {
      call.write({
        user_id: options.user,
        file_name: path.basename(file),
        chunk: bytes.subarray(index * CHUNK, (index + 1) * CHUNK),
        chunk_index: index,
        total_chunks: total,
        file_type: type
      })
    }
    call.end()
  })
  return response.file_url
}

async function main() {
  const client = connect()
  const image_url = await upload(client, options.image, 'image')
  if (options.only === 'upload') return
  const video_url = await upload(client, options.video, 'video')
  const request = { user_id: options.user, image_url, video_url }
  let task = await callOnce('CreateTask', (done) => client.CreateTask(request, metadata(), done))
  while (task.status === 'pending' || task.status === 'processing') {
    await new Promise((resolve) => setTimeout(resolve, POLL))
    const { task_id } = task
    task = await callOnce('GetTaskStatus', (done) => client.GetTaskStatus({ task_id }, metadata(), done))
  }
}

main().then(
  () => process.exit(0),
  (error) => process.exit(error.code ?? 99)
)
