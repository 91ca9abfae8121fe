// SPDX-License-Identifier: Apache-2.0
import { report } from './report.ts'

new Worker('/worker.js', { type: 'module' })
await report('page')
