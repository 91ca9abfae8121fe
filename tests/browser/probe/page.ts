// SPDX-License-Identifier: Apache-2.0
import './schemas.ts'
import { report } from './report.ts'

const worker = new Worker('/worker.js', { type: 'module' })
worker.addEventListener('error', ({ message }) => reportError(new Error(`the Worker failed: ${message}`)))
await report('page')
