// Uploads one file by tus-js-client in Node, in a single PATCH: tus_upload.cjs ENDPOINT FILE
const fs = require('node:fs')
const path = require('node:path')
const { Upload } = require('tus-js-client')

const [endpoint, file] = process.argv.slice(2)
new Upload(fs.createReadStream(file), {
  endpoint,
  metadata: { filename: path.basename(file), filetype: 'video/mp4' },
  retryDelays: null,
  onSuccess: () => process.exit(0), // it would wait for a timer of tus-js-client, for up to 0.1 s
  onError: (error) => {
    throw error
  }
}).start()
