// SPDX-License-Identifier: Apache-2.0
// Tests run on the sources as they are: the addon is built first where they have changed.
import { buildNative } from './build-native.mjs'

export default async function setup() {
  console.log(await buildNative())
}
