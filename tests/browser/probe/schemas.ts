// SPDX-License-Identifier: Apache-2.0
// Imported before all else. Otherwise zod tries once whether code may be made from text, which a strict content security
// policy reports, though zod goes on without.
import { config } from 'zod'

config({ jitless: true })
