// SPDX-License-Identifier: Apache-2.0
import type { CompiledInspection, InspectedTensor, ModelInspection, ModelIssue } from '@mlcapsule/model-graph'
import {
  fields,
  formatBytes,
  formatCount,
  formatItems,
  printable,
  type Styles,
  table,
} from '@mlcapsule/terminal'
import { listed, type Pairs } from './describe.ts'

const indent = '  '
/** Nodes that are named; `--json` has all of them. */
const shownNodeCount = 20

/** `x  float32 [batch, 3]`; `?` stands for a size that is worked out with every query. */
function describeTensor({ name, dtype, shape }: InspectedTensor): string {
  const dims = shape.map((dim) => (dim === null ? '?' : typeof dim === 'string' ? printable(dim) : dim))
  return `${printable(name)}  ${dtype} [${dims.join(', ')}]`
}

/** Words in lines of a width. */
function wrapped(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const [i, word] of words.entries()) {
    const piece = i === words.length - 1 ? word : `${word},`
    const last = lines.at(-1)
    if (last !== undefined && last.length + piece.length < width) lines[lines.length - 1] = `${last} ${piece}`
    else lines.push(piece)
  }
  return lines
}

function stepPairs(compiled: CompiledInspection, width: number): Pairs {
  const { kernelStepCount, operatorStepCount, branchStepCount, operatorsRun } = compiled
  const operators = operatorsRun.map(({ operator, stepCount }) => `${operator} × ${formatCount(stepCount)}`)
  return [
    ['kernels in C', formatItems(kernelStepCount, 'step')],
    ['TypeScript', formatItems(operatorStepCount, 'step')],
    ...(operators.length === 0 ? [] : listed('run per query', wrapped(operators, width))),
    ...(branchStepCount === 0 ? [] : [['branches', formatCount(branchStepCount)] as const]),
  ]
}

function costPairs(compiled: CompiledInspection): Pairs {
  const least = compiled.isComplete ? '' : 'at least '
  const { macCount, flopCount, uncountedOperators, symbols } = compiled
  const sizes = symbols.map(
    ({ name, size, isAssumed }) =>
      `${printable(name)} = ${formatCount(size)}${isAssumed ? ' (assumed)' : ''}`,
  )
  const without = uncountedOperators.length === 0 ? '' : `, without ${uncountedOperators.join(', ')}`
  return [
    ...(sizes.length === 0 ? [] : [['for sizes', sizes.join(', ')] as const]),
    ['multiply-adds', `${least}${formatCount(macCount)}${without}`],
    ['FLOPs', `${least}${formatCount(flopCount)}`],
    ['arena', `${least}${formatBytes(compiled.arenaSizeBytes)}`],
    ['weights', formatBytes(compiled.weightsSizeBytes)],
    [
      'program',
      `${formatBytes(compiled.programSizeBytes)} + ${formatBytes(compiled.recordsSizeBytes)} of records`,
    ],
    ['enclave', `${least}${formatBytes(compiled.residentMemorySizeBytes)}, the sum, besides code and heap`],
    [
      'streaming',
      `about ${formatBytes(compiled.streamingMemorySizeBytes)}, if weights came step by step: not to be had yet`,
    ],
  ]
}

function dependenceLines({ dataDependences, isComplete }: CompiledInspection): readonly string[] {
  if (dataDependences.length === 0) return ['What runs does not depend on the elements of a query.']
  const shown = dataDependences.slice(0, shownNodeCount)
  const more = dataDependences.length - shown.length
  const rows = shown.map(({ node, decides }) => [
    decides === 'branch' ? 'which steps run' : 'how large results are',
    printable(node),
  ])
  return [
    'Elements of a query decide:',
    table(rows, { indent }),
    ...(more > 0 ? [`${indent}and ${formatCount(more)} more`] : []),
    ...(isComplete ? [] : ['The figures above hold up to there: a query may need more.']),
  ]
}

function unsupportedLines(issues: readonly ModelIssue[], style: Styles): readonly string[] {
  const rows = issues
    .slice(0, shownNodeCount)
    .map(({ node, operator, reason }) => [printable(node), printable(operator), printable(reason)])
  const more = issues.length - rows.length
  return [
    style.red(`${formatItems(issues.length, 'node')} not supported`),
    table(rows, { indent, head: ['node', 'operator', 'reason'], headStyle: style.dim }),
    ...(more > 0 ? [`${indent}and ${formatCount(more)} more (--json lists all)`] : []),
    'Figures about running it are left out: the model cannot be packed.',
  ]
}

/** A report on a model as text. All names in it come from a file, and so are made printable. */
export function describeInspection(inspection: ModelInspection, style: Styles, columns: number): string {
  const { inputs, outputs, nodeCount, parameterCount, constantsSizeBytes, compiled } = inspection
  const sizes = constantsSizeBytes === null ? '' : ` in ${formatBytes(constantsSizeBytes)} of constants`
  const facts: Pairs = [
    ...listed('inputs', inputs?.map(describeTensor) ?? ['not known']),
    ...listed('outputs', outputs?.map(describeTensor) ?? ['not known']),
    ['nodes', nodeCount === null ? 'not known' : formatCount(nodeCount)],
    ['parameters', `${parameterCount === null ? 'not known' : formatCount(parameterCount)}${sizes}`],
  ]
  const rows = inspection.operators.map(({ operator, domain, operatorSet, count, unsupportedCount }) => [
    printable(operator),
    operatorSet === 0 ? printable(domain) : `${printable(domain)} ${operatorSet}`,
    formatCount(count),
    unsupportedCount === 0
      ? style.green('yes')
      : style.red(unsupportedCount === count ? 'no' : `not ${formatCount(unsupportedCount)}`),
  ])
  const head = ['operator', 'operator set', 'nodes', 'supported']
  const pairs = (list: Pairs) => fields(list, { indent, nameStyle: style.dim })
  const parts = [
    pairs(facts),
    table(rows, { indent, align: 'llrl', head, headStyle: style.dim }),
    ...(compiled === null
      ? [unsupportedLines(inspection.unsupportedNodes, style).join('\n')]
      : [
          pairs(stepPairs(compiled, columns - 20)),
          pairs(costPairs(compiled)),
          dependenceLines(compiled).join('\n'),
        ]),
  ]
  return parts.join('\n\n')
}
