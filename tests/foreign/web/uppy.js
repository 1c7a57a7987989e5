// An upload by Uppy, whose plug-in finds earlier uploads of the same file by itself.
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

import { options } from './tus.js'

export class UppyUpload {
  constructor(file, given) {
    this.answers = []
    this.outcome = null // 'done', or an error
    this.uppy = new Uppy()
    this.uppy.use(Tus, options(file, given, this.answers))
    this.id = this.uppy.addFile({ name: file.name, type: file.type, data: file })
    this.uppy.on('upload-success', () => (this.outcome = 'done'))
    this.uppy.on('upload-error', (_, error) => (this.outcome = String(error)))
  }

  start() {
    this.uppy.upload()
  }

  pause() {
    this.uppy.pauseAll()
  }

  resume() {
    this.uppy.resumeAll()
  }

  get url() {
    return this.uppy.getFile(this.id).tus?.uploadUrl
  }
}
