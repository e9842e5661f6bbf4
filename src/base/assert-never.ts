/**
 * Ends a `switch` over a union: the compiler refuses the call while a member is unhandled.
 *
 * @throws TypeError when a value from outside the type system gets this far.
 */
export function assertNever(value: never): never {
  throw new TypeError(`unhandled variant: ${JSON.stringify(value)}`)
}
