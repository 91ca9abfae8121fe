// SPDX-License-Identifier: Apache-2.0

/** A point of a pen's path: [right, down], in any unit; a glyph is scaled to its box when it is drawn. */
export type PathPoint = readonly [number, number]

/** One movement of the pen, a smooth curve through its points. A sharp corner ends one stroke and starts the next. */
export type PenStroke = readonly PathPoint[]

/** One way of writing a digit. */
export interface Glyph {
  readonly digit: number
  readonly variant: 'a' | 'b'
  readonly strokes: readonly PenStroke[]
}

/** Two hands: `a` writes rounder, `b` plainer and more slanted. A stroke is written 'right,down right,down …'. */
export const glyphs: readonly Glyph[] = [
  write(0, 'a', '52,2 24,12 8,45 8,85 22,124 50,138 80,122 94,85 90,40 74,10 52,2'),
  write(0, 'b', '70,6 42,8 18,44 10,92 24,130 52,132 82,96 92,48 84,14 60,4'),
  write(1, 'a', '52,0 50,48 48,96 46,140'),
  write(1, 'b', '72,0 60,46 46,92 32,140'),
  write(2, 'a', '8,34 20,10 48,2 78,14 84,44 64,80 34,112 8,136', '8,136 36,134 66,136 96,134'),
  write(2, 'b', '14,26 38,4 70,6 84,32 72,68 48,104 22,130 6,128 10,110 30,108 56,126 78,138 100,128'),
  write(3, 'a', '12,18 38,2 70,8 80,32 66,56 40,64', '40,64 74,72 88,98 76,126 44,138 10,124'),
  write(3, 'b', '18,6 50,4 84,6', '84,6 66,32 46,56', '46,56 76,64 90,90 78,122 44,136 8,122'),
  write(4, 'a', '16,4 12,34 10,64', '10,64 36,70 66,68 92,64', '82,2 78,48 72,94 68,140'),
  write(4, 'b', '66,0 44,30 22,60 4,86', '4,86 34,86 64,84 96,82', '66,0 66,46 64,94 62,140'),
  write(5, 'a', '84,4 54,6 24,6', '24,6 20,30 16,58', '16,58 46,50 76,62 88,90 76,122 44,138 10,126'),
  write(5, 'b', '96,4 70,4 44,6', '44,6 34,32 26,58', '26,58 52,52 74,66 76,98 56,128 28,136 6,124'),
  write(6, 'a', '70,2 40,24 18,64 12,102 28,132 58,136 80,116 78,88 54,76 28,88 14,108'),
  write(6, 'b', '84,0 56,26 30,64 14,104 22,132 46,138 70,118 74,92 56,80 34,92 18,116'),
  write(7, 'a', '8,10 34,8 62,8 92,8', '92,8 74,50 58,94 46,140'),
  write(7, 'b', '10,26 14,10 42,8 68,10 90,6', '90,6 78,48 58,92 42,140'),
  write(8, 'a', '80,20 54,2 26,14 26,42 52,64 80,92 78,124 50,138 22,124 22,94 50,66 76,44 80,20'),
  write(8, 'b', '86,14 60,2 34,18 36,46 58,70 66,104 48,134 22,134 14,110 38,78 72,46 86,14'),
  write(9, 'a', '78,22 50,4 22,20 18,48 40,66 66,54 78,24', '78,24 76,64 70,102 64,140'),
  write(9, 'b', '82,16 56,4 28,24 22,52 42,66 68,46 84,14', '84,14 74,58 58,100 38,138'),
]

function write(digit: number, variant: 'a' | 'b', ...strokes: readonly string[]): Glyph {
  return { digit, variant, strokes: strokes.map((stroke) => stroke.split(' ').map(parsePoint)) }
}

function parsePoint(text: string): PathPoint {
  const [right, down] = text.split(',')
  return [Number(right), Number(down)]
}
