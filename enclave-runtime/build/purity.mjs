// SPDX-License-Identifier: Apache-2.0
// A second look at the core, beside its import list: names of ways out must not occur in the text at all. A text search
// proves nothing against code that hides its names; it finds what came in by mistake, through a library say.

/** Ways to reach the world, each as it would look when called or constructed. */
const forbidden = [
  [
    'network',
    /\bfetch\s*\(|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b|\bsendBeacon\b|\bWebTransport\b|\bRTCPeerConnection\b/,
  ],
  ['other code', /\bimportScripts\b|\brequire\s*\(|\bimport\s*\(|\beval\s*\(|\bgetBuiltinModule\b/],
  ['timers', /\bsetTimeout\b|\bsetInterval\b|\brequestAnimationFrame\b/],
  ['storage', /\blocalStorage\b|\bindexedDB\b|\bcaches\b\s*\./],
  ['other threads', /\bnew\s+(?:Shared)?Worker\b|\bBroadcastChannel\b/],
  ['the page', /\bdocument\s*\./],
]

/** @throws Error naming every way out that the text of a bundle mentions */
export function assertPureText(file, text) {
  const found = forbidden.flatMap(([what, pattern]) => {
    const match = pattern.exec(text)
    return match === null ? [] : [`${what}: …${text.slice(Math.max(0, match.index - 40), match.index + 40)}…`]
  })
  if (found.length > 0) throw new Error(`${file} mentions a way out:\n  ${found.join('\n  ')}`)
}
