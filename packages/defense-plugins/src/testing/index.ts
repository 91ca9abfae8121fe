// SPDX-License-Identifier: Apache-2.0
export { assertDefenseContract, type DefenseCase, runDefense } from './run-defense.ts'
