// SPDX-License-Identifier: Apache-2.0
import { imagePixelCount, imageSide } from './dataset.ts'
import type { Glyph, PathPoint, PenStroke } from './glyphs.ts'

/** How a hand writes. */
export interface Hand {
  /** Columns to the right per row upwards. */
  readonly slant: number
  /** Radius of the round brush, in pixels. */
  readonly brushRadius: number
}

/** Side of the box that a digit fills, in pixels: the rest of the 28 is margin, as in MNIST. */
const boxSide = 20
/** Width of the brush's soft rim, in pixels: ink falls from full to none across it. */
const rimWidth = 1.3
const piecesPerCurve = 16

/**
 * Draws a glyph as MNIST's digits are framed: scaled to fit 20x20 pixels with its proportions kept, then placed
 * in 28x28 so that its center of mass is the center.
 * @returns 784 bytes, ink high
 */
export function drawGlyph(glyph: Glyph, hand: Hand): Uint8Array {
  const slanted = glyph.strokes.map((stroke) =>
    smooth(stroke).map(([x, y]): PathPoint => [x - hand.slant * y, y]),
  )
  const fitted = fitToBox(slanted, boxSide - 2 * hand.brushRadius)
  const center = (imageSide - 1) / 2
  const framed = move(fitted, center, center)
  const [massX, massY] = centerOfMass(inkOf(framed, hand.brushRadius))
  const centered = move(framed, center - massX, center - massY)
  return Uint8Array.from(inkOf(centered, hand.brushRadius), (ink) => Math.round(255 * ink))
}

/** A curve through all points of a stroke (uniform Catmull-Rom spline), as a polyline. */
function smooth(stroke: PenStroke): PathPoint[] {
  const at = (index: number): PathPoint =>
    stroke[Math.max(0, Math.min(index, stroke.length - 1))] as PathPoint
  const points: PathPoint[] = []
  for (let index = 0; index + 1 < stroke.length; index++) {
    const near = [at(index - 1), at(index), at(index + 1), at(index + 2)] as const
    for (let piece = 0; piece < piecesPerCurve; piece++) {
      const share = piece / piecesPerCurve
      points.push([
        spline(
          near.map(([x]) => x),
          share,
        ),
        spline(
          near.map(([, y]) => y),
          share,
        ),
      ])
    }
  }
  points.push(at(stroke.length - 1))
  return points
}

function spline(near: readonly number[], share: number): number {
  const [before = 0, from = 0, to = 0, after = 0] = near
  const slope = to - before
  const bend = 2 * before - 5 * from + 4 * to - after
  const twist = 3 * from - before - 3 * to + after
  return from + (share / 2) * (slope + share * (bend + share * twist))
}

/** Scales to the largest size that fits a square of `side` pixels, centered on the origin. */
function fitToBox(strokes: readonly PathPoint[][], side: number): PathPoint[][] {
  const xs = strokes.flat().map(([x]) => x)
  const ys = strokes.flat().map(([, y]) => y)
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const scale = side / Math.max(right - left, bottom - top)
  const middleX = (left + right) / 2
  const middleY = (top + bottom) / 2
  return strokes.map((stroke) =>
    stroke.map(([x, y]): PathPoint => [scale * (x - middleX), scale * (y - middleY)]),
  )
}

function move(strokes: readonly PathPoint[][], right: number, down: number): PathPoint[][] {
  return strokes.map((stroke) => stroke.map(([x, y]): PathPoint => [x + right, y + down]))
}

/** Ink of each pixel, 0..1: by the distance of its center to the nearest point of the pen's path. */
function inkOf(strokes: readonly PathPoint[][], brushRadius: number): Float64Array {
  const ink = new Float64Array(imagePixelCount)
  for (let pixel = 0; pixel < imagePixelCount; pixel++) {
    const x = pixel % imageSide
    const y = Math.floor(pixel / imageSide)
    const distance = Math.min(...strokes.map((stroke) => distanceToPolyline(stroke, x, y)))
    ink[pixel] = Math.max(0, Math.min(1, (brushRadius - distance) / rimWidth + 0.5))
  }
  return ink
}

function distanceToPolyline(points: readonly PathPoint[], x: number, y: number): number {
  let nearest = Number.POSITIVE_INFINITY
  for (let index = 0; index + 1 < points.length; index++) {
    const [fromX, fromY] = points[index] as PathPoint
    const [toX, toY] = points[index + 1] as PathPoint
    const [alongX, alongY] = [toX - fromX, toY - fromY]
    const squaredLength = alongX * alongX + alongY * alongY
    const projected = ((x - fromX) * alongX + (y - fromY) * alongY) / (squaredLength || 1)
    const share = Math.max(0, Math.min(1, projected))
    const [offX, offY] = [x - fromX - share * alongX, y - fromY - share * alongY]
    nearest = Math.min(nearest, Math.sqrt(offX * offX + offY * offY))
  }
  return nearest
}

function centerOfMass(ink: Float64Array): [number, number] {
  let mass = 0
  let sumX = 0
  let sumY = 0
  ink.forEach((amount, pixel) => {
    mass += amount
    sumX += amount * (pixel % imageSide)
    sumY += amount * Math.floor(pixel / imageSide)
  })
  return [sumX / mass, sumY / mass]
}
