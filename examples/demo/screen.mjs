// SPDX-License-Identifier: Apache-2.0
// How the demonstration looks: numbered steps, a line for each command, and aligned facts under it.
import { fields, pad, styled, table } from '@mlcapsule/terminal'

const indent = '    '

/** @param {import('@mlcapsule/terminal').ProgramStreams} streams */
export function createScreen({ stdout, env }) {
  const style = styled(stdout, env)
  let stepCount = 0
  const write = (text = '') => stdout.write(`${text}\n`)

  return {
    style,
    title(text, about) {
      write()
      write(`${indent}${style.bold(text)}`)
      write(`${indent}${style.dim(about)}`)
    },
    step(text) {
      stepCount++
      write()
      write(`${style.cyan(pad(String(stepCount), 2, 'right'))}  ${style.bold(text)}`)
    },
    /** The command that a person would type. */
    command(text) {
      write(`${indent}${style.dim(`$ ${text}`)}`)
    },
    facts(pairs) {
      write(fields(pairs, { indent, nameStyle: style.dim }))
    },
    rows(rows, options = {}) {
      write(table(rows, { indent, headStyle: style.dim, ...options }))
    },
    warning(text) {
      write(`${indent}${style.yellow('warning')} ${text}`)
    },
    line(text) {
      write(`${indent}${text}`)
    },
    end(text) {
      write()
      write(`${indent}${text}`)
      write()
    },
  }
}
