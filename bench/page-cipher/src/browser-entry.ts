// SPDX-License-Identifier: Apache-2.0
import { measure, type Row } from './measure.ts'
import { portableContenders } from './portable.ts'

declare global {
  var pageCipherBench: () => Promise<Row[]>
}

globalThis.pageCipherBench = async () => await measure(await portableContenders())
