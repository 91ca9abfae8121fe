// SPDX-License-Identifier: Apache-2.0
export { codeOf } from './code-of.ts'
export { payloadOf } from './payload-of.ts'
export { seeded, seededRandom } from './seeded.ts'
export { loadVectors, readVectorFiles, type VectorCase, vectorFiles, writeVectorFiles } from './vectors.ts'
