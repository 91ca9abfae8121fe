// SPDX-License-Identifier: Apache-2.0

/**
 * What is wrong with an operator's call. `mismatch`: the operands do not fit together; `unsupported`: this form is not
 * implemented; `value`: an element, such as an index, is out of range. Whoever made the call turns it into a coded error
 * that says where.
 */
export class OperatorFault extends Error {
  readonly kind: 'mismatch' | 'unsupported' | 'value'

  constructor(kind: OperatorFault['kind'], detail: string) {
    super(detail)
    this.kind = kind
  }
}

export function mismatch(detail: string): never {
  throw new OperatorFault('mismatch', detail)
}

export function unsupported(detail: string): never {
  throw new OperatorFault('unsupported', detail)
}

/** @param detail names no element: elements may be secret */
export function badValue(detail: string): never {
  throw new OperatorFault('value', detail)
}
