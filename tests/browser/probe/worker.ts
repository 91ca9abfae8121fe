// SPDX-License-Identifier: Apache-2.0
import { report } from './report.ts'

await report('worker')
