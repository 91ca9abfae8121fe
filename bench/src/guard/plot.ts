// SPDX-License-Identifier: Apache-2.0

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly Series[]
}

const [width, height] = [480, 320]
const margin = { left: 60, right: 16, top: 34, bottom: 46 }
const colors = ['#1f6feb', '#d1242f', '#1a7f37']

/** A round number that leaves at most five steps up to the largest value. */
function tickStep(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(largest / 5))
  return power * ([1, 2, 5, 10].find((it) => largest / (it * power) <= 5) as number)
}

function ticks(largest: number): readonly number[] {
  const step = tickStep(largest)
  return Array.from({ length: Math.floor(largest / step + 1e-9) + 1 }, (_, i) => i * step)
}

const show = (value: number) => String(Number(value.toPrecision(6)))
const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')

/** The line that fits points best, by least squares. */
export function fitLine(points: Series['points']): { readonly slope: number; readonly offset: number } {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, it) => sum + of(it), 0) / points.length
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)]
  const slope = mean(([x, y]) => (x - meanX) * (y - meanY)) / mean(([x]) => (x - meanX) ** 2)
  return { slope, offset: meanY - slope * meanX }
}

/**
 * A line plot whose axes begin at zero: measured points, and dashed the straight line that fits each series best. Written
 * here because it is a hundred lines, and a library of plots would be the largest thing that the benchmark needs.
 */
export function plotSvg({ title, xLabel, yLabel, series }: Plot): string {
  const all = series.flatMap(({ points }) => points)
  const most = [Math.max(...all.map(([x]) => x)), Math.max(...all.map(([, y]) => y))] as const
  const plotWidth = width - margin.left - margin.right
  const plotHeight = height - margin.top - margin.bottom
  const atX = (x: number) => (margin.left + (x / (1.04 * most[0])) * plotWidth).toFixed(1)
  const atY = (y: number) => (margin.top + (1 - y / (1.08 * most[1])) * plotHeight).toFixed(1)
  const [left, bottom] = [margin.left, height - margin.bottom]
  const text = (x: number | string, y: number | string, anchor: string, content: string, more = '') =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}"${more}>${escaped(content)}</text>`
  const grid = [
    ...ticks(1.04 * most[0]).map((x) => text(atX(x), bottom + 16, 'middle', show(x))),
    ...ticks(1.08 * most[1]).map(
      (y) =>
        `<line x1="${left}" x2="${width - margin.right}" y1="${atY(y)}" y2="${atY(y)}" stroke="#d0d7de"/>` +
        text(left - 6, Number(atY(y)) + 4, 'end', show(y)),
    ),
  ]
  const drawn = series.map(({ name, points }, i) => {
    const color = colors[i % colors.length] as string
    const { slope, offset } = fitLine(points)
    // The line is shown where it lies within the axes.
    const fromX = offset < 0 ? -offset / slope : 0
    const fit = `M${atX(fromX)} ${atY(slope * fromX + offset)}L${atX(most[0])} ${atY(Math.min(slope * most[0] + offset, 1.08 * most[1]))}`
    const path = points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${atX(x)} ${atY(y)}`).join('')
    return [
      `<path d="${fit}" stroke="${color}" stroke-dasharray="4 4" opacity="0.6" fill="none"/>`,
      `<path d="${path}" stroke="${color}" stroke-width="2" fill="none"/>`,
      ...points.map(([x, y]) => `<circle cx="${atX(x)}" cy="${atY(y)}" r="3.5" fill="${color}"/>`),
      text(left + 12, margin.top + 16 + 16 * i, 'start', name, ` fill="${color}"`),
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(width / 2, 20, 'middle', title, ' font-size="14"')}
${grid.join('\n')}
<path d="M${left} ${margin.top}V${bottom}H${width - margin.right}" stroke="#1f2328" fill="none"/>
${text(margin.left + plotWidth / 2, height - 10, 'middle', xLabel)}
${text(0, 0, 'middle', yLabel, ` transform="translate(14 ${margin.top + plotHeight / 2}) rotate(-90)"`)}
${drawn.join('\n')}
</svg>
`
}
