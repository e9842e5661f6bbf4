/** Where the command writes to. */
export interface Stream {
  readonly isTTY?: boolean
  /** Of a terminal. */
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** The two outputs of the command. */
export interface Streams {
  readonly stdout: Stream
  readonly stderr: Stream
}
