// SPDX-License-Identifier: Apache-2.0
// Comes first: the suite's files call `describe` and `it` while they load.
import Jasmine from 'jasmine'

export const jasmine = new Jasmine()
jasmine.exitOnCompletion = false
jasmine.randomizeTests(false)
