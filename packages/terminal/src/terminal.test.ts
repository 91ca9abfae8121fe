// SPDX-License-Identifier: Apache-2.0
import { ContractError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fields,
  formatBytes,
  formatCount,
  formatDuration,
  formatItems,
  isColored,
  type OutputStream,
  pad,
  printable,
  printError,
  progressBar,
  styled,
  table,
  visibleWidth,
} from './index.ts'

function recordingStream(isTTY = false): OutputStream & { text: () => string } {
  const parts: string[] = []
  return { isTTY, columns: 80, write: (text) => parts.push(text), text: () => parts.join('') }
}

describe('color', () => {
  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
  ])('%o on a terminal: %s gives %s', (env, isTTY, expected) => {
    expect(isColored(recordingStream(isTTY), env)).toBe(expected)
  })

  test('marks text on a terminal and leaves it alone in a pipe', () => {
    expect(styled(recordingStream(true), {}).red('no')).toBe('\u001b[31mno\u001b[39m')
    expect(styled(recordingStream(false), {}).red('no')).toBe('no')
  })
})

describe('text', () => {
  test('what could move the cursor or reorder letters is written as an escape', () => {
    expect(printable('a\u001b[2Jb\r\n\u202ec\u0007')).toBe(
      'a\\u{001b}[2Jb\\u{000d}\\u{000a}\\u{202e}c\\u{0007}',
    )
    expect(printable('Größe 数字 é ✓')).toBe('Größe 数字 é ✓')
  })

  test('no printable text holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(printable(text))).toBe(false)
      }),
    )
  })

  test('width and padding do not count colors', () => {
    const red = styled(recordingStream(true), {}).red('abc')
    expect(visibleWidth(red)).toBe(3)
    expect(pad(red, 5)).toBe(`${red}  `)
    expect(pad('abc', 5, 'right')).toBe('  abc')
    expect(pad('abcdef', 5)).toBe('abcdef')
  })
})

describe('numbers', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [10 * 1024 + 512, '10.5 KiB'],
    [1024 * 1024 - 1, '1.00 MiB'],
    [4_956_208, '4.73 MiB'],
    [250 * 1024 ** 2, '250 MiB'],
    [3 * 1024 ** 4, '3.00 TiB'],
  ])('%d bytes is %s', (sizeBytes, text) => expect(formatBytes(sizeBytes)).toBe(text))

  test.each([
    [0.85, '850 µs'],
    [12.34, '12.3 ms'],
    [999.6, '1.00 s'],
    [4200, '4.20 s'],
    [59_999, '1 min 00 s'],
    [125_000, '2 min 05 s'],
  ])('%d ms is %s', (durationMs, text) => expect(formatDuration(durationMs)).toBe(text))

  test('a count has its noun in the right number', () => {
    expect([0, 1, 2000].map((count) => formatItems(count, 'query', 'queries'))).toEqual([
      '0 queries',
      '1 query',
      '2,000 queries',
    ])
    expect(formatItems(1, 'receipt')).toBe('1 receipt')
    expect(formatItems(2, 'receipt')).toBe('2 receipts')
  })

  test('thousands are set apart', () => {
    expect([0, 999, 1000, 1_235_496].map(formatCount)).toEqual(['0', '999', '1,000', '1,235,496'])
    expect(formatCount(12_345_678_901_234_567_890n)).toBe('12,345,678,901,234,567,890')
  })
})

describe('tables', () => {
  test('columns are aligned, and no line ends in spaces', () => {
    const text = table(
      [
        ['top-k', '3'],
        ['a', '128'],
      ],
      { head: ['defense', 'units'], align: 'lr', indent: '  ' },
    )
    expect(text).toBe('  defense  units\n  top-k        3\n  a          128')
  })

  test('fields put values below one another', () => {
    expect(
      fields([
        ['id', 'x'],
        ['name', 'y'],
      ]),
    ).toBe('id    x\nname  y')
  })

  test('colored cells are aligned by what is seen', () => {
    const { green } = styled(recordingStream(true), {})
    const lines = table([
      [green('ok'), '1'],
      ['refused', '2'],
    ]).split('\n')
    expect(lines.map((line) => visibleWidth(line))).toEqual([10, 10])
  })
})

describe('progressBar', () => {
  test('draws on a terminal, not more often than it may, and leaves no trace', () => {
    const stream = recordingStream(true)
    let nowMs = 0
    const bar = progressBar({
      stream,
      env: { NO_COLOR: '1' },
      label: 'packing',
      total: 2048,
      now: () => nowMs,
    })
    bar.update(512)
    nowMs = 10
    bar.update(600)
    nowMs = 60
    bar.update(1024)
    bar.update(2048)
    bar.end()
    bar.end()
    bar.update(2048)
    const drawn = stream.text().split('\r\u001b[2K')
    expect(drawn).toHaveLength(5)
    expect(drawn[1]).toContain(' 25%  512 B / 2.00 KiB')
    expect(drawn[2]).toContain(' 50%  1.00 KiB / 2.00 KiB')
    expect(drawn[3]).toContain('100%')
    expect(drawn[4]).toBe('')
    for (const line of drawn) expect(visibleWidth(line)).toBeLessThanOrEqual(80)
  })

  test('prints nothing into a pipe', () => {
    const stream = recordingStream(false)
    const bar = progressBar({ stream, env: {}, label: 'packing', total: 10 })
    bar.update(10)
    bar.end()
    expect(stream.text()).toBe('')
  })
})

describe('printError', () => {
  const error = new ContractError('CONTRACT_PLUGIN_UNKNOWN', 'there is no defense named \u001b[31mx', {
    field: 'defense',
    cause: new Error('deep trouble'),
  })

  test('prints code, message and remedy, and returns the exit code of the kind', () => {
    const [stdout, stderr] = [recordingStream(), recordingStream()]
    expect(printError(error, { stdout, stderr, env: {} })).toBe(2)
    expect(stdout.text()).toBe('')
    expect(stderr.text()).toBe(
      `error CONTRACT_PLUGIN_UNKNOWN: there is no defense named \\u{001b}[31mx\nwhat to do: ${error.remedy}\n`,
    )
  })

  test('a message of more lines cannot pass for more messages', () => {
    const stderr = recordingStream()
    printError(new Error('first\nerror FAKE: second'), { stdout: stderr, stderr, env: {} })
    expect(stderr.text()).toContain('error INTERNAL: first\n  error FAKE: second\n')
  })

  test('prints one line of JSON when asked', () => {
    const stderr = recordingStream()
    expect(printError(error, { stdout: stderr, stderr, env: {} }, { json: true })).toBe(2)
    expect(JSON.parse(stderr.text())).toEqual({ error: error.toJSON() })
    expect(stderr.text()).not.toContain('deep trouble')
  })

  test('an error that is not ours is internal, without its stack unless asked for', () => {
    const stderr = recordingStream()
    const streams = { stdout: stderr, stderr, env: {} }
    expect(printError(new TypeError('x is not a function'), streams)).toBe(70)
    expect(stderr.text()).toContain('error INTERNAL: x is not a function')
    expect(stderr.text()).not.toContain('terminal.test')
    printError(error, { ...streams, env: { MLCAPSULE_DEBUG: '1' } })
    expect(stderr.text()).toContain('caused by: Error: deep trouble')
  })
})
