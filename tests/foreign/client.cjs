// The app's calls from another language and another gRPC: Node's, which knows the frozen proto and nothing of facecli.
//
//   node client.cjs '{"server": "127.0.0.1:50051", "ca": "ca.pem", "token": "…", "user": "ann", "image": "a.png", "video": "b.mp4"}'
//
// Uploads both, creates a task and polls it until it ends; with "only": "upload" it uploads the picture. Without "ca"
// it talks in the clear; "cert" and "key" are shown to a server that asks. Prints one line of JSON for each answer and
// ends with 0, or with the status of the call that was refused.
const fs = require('node:fs')
const path = require('node:path')
const grpc = require('@grpc/grpc-js')
const loader = require('@grpc/proto-loader')

const CHUNK = 10 * 1024 * 1024 // bytes
const POLL = 100 // milliseconds

const frozen = path.join(__dirname, '..', 'frozen', 'video_service.proto')
const { video } = grpc.loadPackageDefinition(loader.loadSync(frozen, { keepCase: true, defaults: true, longs: Number }))
const asked = JSON.parse(process.argv[2])

function read(file) {
  return file ? fs.readFileSync(file) : null
}

function connected() {
  const credentials = asked.ca
    ? grpc.credentials.createSsl(read(asked.ca), read(asked.key), read(asked.cert))
    : grpc.credentials.createInsecure()
  return new video.VideoService(asked.server, credentials)
}

function metadata() {
  const sent = new grpc.Metadata()
  if (asked.token) sent.set('authorization', `Bearer ${asked.token}`)
  return sent
}

function answered(name, begin) {
  return new Promise((resolve, reject) => {
    begin((error, answer) => {
      console.log(JSON.stringify(error ? { call: name, code: error.code, message: error.details } : { call: name, answer }))
      if (error) reject(error)
      else resolve(answer)
    })
  })
}

async function uploaded(client, file, type) {
  const bytes = fs.readFileSync(file)
  const total = Math.ceil(bytes.length / CHUNK)
  const answer = await answered('UploadVideo', (done) => {
    const call = client.UploadVideo(metadata(), done)
    for (let index = 0; index < total; index++) {
      call.write({
        user_id: asked.user,
        file_name: path.basename(file),
        chunk: bytes.subarray(index * CHUNK, (index + 1) * CHUNK),
        chunk_index: index,
        total_chunks: total,
        file_type: type
      })
    }
    call.end()
  })
  return answer.file_url
}

async function main() {
  const client = connected()
  const image_url = await uploaded(client, asked.image, 'image')
  if (asked.only === 'upload') return
  const video_url = await uploaded(client, asked.video, 'video')
  const request = { user_id: asked.user, image_url, video_url }
  let task = await answered('CreateTask', (done) => client.CreateTask(request, metadata(), done))
  while (task.status === 'pending' || task.status === 'processing') {
    await new Promise((resolve) => setTimeout(resolve, POLL))
    const { task_id } = task
    task = await answered('GetTaskStatus', (done) => client.GetTaskStatus({ task_id }, metadata(), done))
  }
}

main().then(
  () => process.exit(0),
  (error) => process.exit(error.code ?? 99)
)
