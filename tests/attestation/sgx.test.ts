// SPDX-License-Identifier: Apache-2.0
import { sgxKind } from './cases/sgx.ts'
import { testVectors } from './dcap-vectors.ts'

testVectors(sgxKind, { cases: 41, genuine: 9, strictlyAccepted: 3, synthetic: 17 })
