// The example of @tus/server with its file store, to compare with: tus_server.cjs FOLDER, prints its port.
// Its packages are not among those of the tests: `npm install @tus/server @tus/file-store`, and name them in NODE_PATH.
const { Server } = require('@tus/server')
const { FileStore } = require('@tus/file-store')

const server = new Server({ path: '/files', datastore: new FileStore({ directory: process.argv[2] }) })
const http = server.listen({ host: '127.0.0.1', port: 0 }, () => console.log(http.address().port))
