// SPDX-License-Identifier: Apache-2.0
import './schemas.ts'
import { report } from './report.ts'

await report('worker')
