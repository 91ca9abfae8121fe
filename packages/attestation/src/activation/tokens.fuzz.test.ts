// SPDX-License-Identifier: Apache-2.0
import { signJws, toBase64Url } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { isCoded } from '../../test/errors.ts'
import { createWorld, nowMs, type World } from '../../test/world.ts'
import { parseManifest } from '../manifest/manifest.ts'
import { parsePolicy } from '../policy/policy.ts'
import { verifyChallenge } from './challenge.ts'
import { requestTyp, verifyRequest } from './request.ts'
import { createResponse, verifyResponse } from './response.ts'

const runs = process.env.SLOW === '1' ? 250_000 : 500
let world: World
let tokens: readonly string[]

beforeAll(async () => {
  world = await createWorld()
  const { authority, challenge } = world
  const release = { enc: new Uint8Array(32), ciphertext: new Uint8Array(122) }
  const response = await createResponse({
    authority,
    challengeId: challenge.claims.jti,
    license: 'a.b.c',
    release,
  })
  tokens = [challenge.token, await world.answer(challenge), response]
})

/** Every parser either refuses with a code, or was given one of the unchanged tokens. */
async function feed(token: string): Promise<void> {
  const capsuleId = world.capsule.capsuleId
  const outcomes = await Promise.allSettled([
    verifyChallenge(token, { authority: world.trusted, capsuleId, nowMs }),
    verifyRequest(token, world.trusted),
    verifyResponse(token, { authority: world.trusted, challenge: world.challenge }),
  ])
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') expect(tokens).toContain(token)
    else if (!isCoded(outcome.reason)) throw outcome.reason
  }
}

const edit = fc.record({
  which: fc.nat(2),
  at: fc.nat(),
  remove: fc.nat(8),
  insert: fc.string({ maxLength: 8 }),
})

test('changed tokens are refused with a code', async () => {
  const property = fc.asyncProperty(edit, async ({ which, at, remove, insert }) => {
    const token = tokens[which] ?? ''
    const start = at % (token.length + 1)
    await feed(token.slice(0, start) + insert + token.slice(start + remove))
  })
  await fc.assert(property, { numRuns: runs })
})

test('signed payloads of any form are refused with a code', async () => {
  const json = fc.dictionary(fc.constantFrom('challenge', 'manifest', 'evidence', 'iss'), fc.jsonValue())
  const property = fc.asyncProperty(json, async (value) => {
    const payload = {
      ...value,
      challenge: world.challenge.token,
      iss: toBase64Url(world.authority.publicKey),
    }
    let token: string
    try {
      token = await signJws({ typ: requestTyp, ...world.customer, payload })
    } catch (error) {
      if (isCoded(error)) return
      throw error
    }
    await expect(verifyRequest(token, world.trusted)).rejects.toSatisfy(isCoded)
  })
  await fc.assert(property, { numRuns: runs })
})

test('policies and manifests of any form are refused with a code', () => {
  const keys = ['version', 'name', 'manifests', 'entry', 'components', 'plugins', 'debug', '__proto__']
  const property = fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (value) => {
    for (const parse of [parsePolicy, parseManifest])
      expect(() => parse(value)).toThrow(expect.toSatisfy(isCoded))
  })
  fc.assert(property, { numRuns: runs })
})
