// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from './format.ts'
import { columnCount, type Environment, type OutputStream } from './output.ts'
import { styled } from './style.ts'
import { pad } from './text.ts'

export interface ProgressBarOptions {
  /** Usually `process.stderr`, so that what a program prints can be piped. */
  readonly stream: OutputStream
  readonly env: Environment
  readonly label: string
  readonly total: number
  /** How `done` and `total` are written. The default takes them for bytes. */
  readonly format?: (value: number) => string
  /** The time in milliseconds, for a test. */
  readonly now?: () => number
}

export interface ProgressBar {
  /** Says how much of the total is done. Cheap: it draws at most about 20 times a second. */
  update(done: number): void
  /** Removes the bar. Safe to call twice, and in a `finally`. */
  end(): void
}

const drawEveryMs = 50
const labelWidth = 14
const eraseLine = '\r\u001b[2K'

/**
 * A one-line bar that redraws itself on a terminal. On anything else it prints nothing: logs stay clean.
 * It leaves no trace; the program prints its own line once the work is done.
 */
export function progressBar(options: ProgressBarOptions): ProgressBar {
  const { stream, env, label, total, format = formatBytes, now = () => performance.now() } = options
  const isShown = stream.isTTY === true && env.TERM !== 'dumb'
  const style = styled(stream, env)
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let isOnScreen = false
  let hasEnded = false

  return {
    update(done) {
      const nowMs = now()
      if (!isShown || hasEnded || (nowMs - drawnAtMs < drawEveryMs && done < total)) return
      drawnAtMs = nowMs
      const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1
      const numbers = `${pad(`${Math.floor(share * 100)}%`, 4, 'right')}  ${format(done)} / ${format(total)}`
      const width = Math.max(10, Math.min(40, columnCount(stream) - labelWidth - numbers.length - 6))
      const filled = Math.round(share * width)
      const bar = style.cyan('━'.repeat(filled)) + style.dim('─'.repeat(width - filled))
      stream.write(`${eraseLine}${pad(label, labelWidth)}  ${bar}  ${numbers}`)
      isOnScreen = true
    },
    end() {
      if (isOnScreen) stream.write(eraseLine)
      isOnScreen = false
      hasEnded = true
    },
  }
}
