/** A screen of a terminal, as `tmux capture-pane -e -p` gives it, as an SVG. It has its own dark ground, so that it is readable on light and dark pages. */
import stringWidth from 'string-width'

const CELL = { width: 8, height: 17 }
const MARGIN = 14
const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
const GROUND = '#18181b'
const TEXT = '#d4d4d8'
const COLOURS = ['#52525b', '#f87171', '#4ade80', '#fbbf24', '#60a5fa', '#c084fc', '#22d3ee', '#d4d4d8']
const BRIGHT = ['#71717a', '#fca5a5', '#86efac', '#fcd34d', '#93c5fd', '#d8b4fe', '#67e8f9', '#fafafa']
const PLAIN = { color: TEXT, isBold: false, isDim: false }

/** @param {string} screen lines with SGR sequences @param {{ title: string, columns: number, rows: number }} options */
export function ansiSvg(screen, { title, columns, rows }) {
  const width = columns * CELL.width + 2 * MARGIN
  const height = rows * CELL.height + 2 * MARGIN
  const shapes = new Map()
  const texts = []
  let style = PLAIN
  for (const [row, line] of screen.split('\n').slice(0, rows).entries()) {
    let column = 0
    for (const piece of line.split(/(\u001B\[[\d;]*m)/)) {
      if (piece.startsWith('\u001B')) style = styled(style, piece.slice(2, -1))
      else column = drawn(piece, { row, column, style, shapes, texts })
    }
  }
  const paths = [...shapes].map(([key, parts]) => {
    const [color, opacity] = key.split(' ')
    return `<path fill="${color}"${opacity === '1' ? '' : ` fill-opacity="${opacity}"`} d="${parts.join('')}"/>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>`,
    ...paths,
    `<g font-family="${FONT}" font-size="13" fill="${TEXT}" xml:space="preserve">`,
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Puts a piece of one style down, and gives the column after it. */
function drawn(piece, { row, column, style, shapes, texts }) {
  let at = column
  for (const part of piece.match(/[\u2500-\u259F]|[^\u2500-\u259F]+/gu) ?? []) {
    const columns = stringWidth(part)
    const shape = shapeOf(part)
    if (shape !== undefined) {
      const key = `${style.color} ${style.isDim ? 0.5 * shape.opacity : shape.opacity}`
      const [left, top] = [MARGIN + (at + shape.left) * CELL.width, MARGIN + (row + shape.top) * CELL.height]
      shapes.set(key, [...(shapes.get(key) ?? []), `M${round(left)} ${round(top)}h${round(shape.width * CELL.width)}v${round(shape.height * CELL.height)}h-${round(shape.width * CELL.width)}z`])
    } else if (part.trim() !== '') {
      texts.push(...words(part, at).map(([text, start]) => textElement(text, start, row, style)))
    }
    at += columns
  }
  return at
}

/** Pieces between two spaces or more, so that columns stay where they are in every font. */
function words(part, column) {
  return [...part.matchAll(/\S+(?: \S+)*/g)].map((match) => [match[0], column + stringWidth(part.slice(0, match.index))])
}

function textElement(text, column, row, { color, isBold, isDim }) {
  const attributes = [
    `x="${round(MARGIN + column * CELL.width)}"`,
    `y="${round(MARGIN + row * CELL.height + 13)}"`,
    `textLength="${stringWidth(text) * CELL.width}"`,
    ...(color === TEXT ? [] : [`fill="${color}"`]),
    ...(isBold ? ['font-weight="bold"'] : []),
    ...(isDim ? ['fill-opacity="0.6"'] : []),
  ]
  return `<text ${attributes.join(' ')}>${escaped(text)}</text>`
}

/** Blocks and rules are drawn: as letters they have gaps in most fonts. In parts of a cell. */
function shapeOf(character) {
  const code = character.codePointAt(0)
  if (code >= 0x2581 && code <= 0x2588) return { left: 0, top: 1 - (code - 0x2580) / 8, width: 1, height: (code - 0x2580) / 8, opacity: 1 }
  if (character === '░') return { left: 0, top: 0.1, width: 1, height: 0.8, opacity: 0.5 }
  if (character === '─') return { left: 0, top: 0.5, width: 1, height: 0.06, opacity: 1 }
  if (character === '│') return { left: 0.45, top: 0, width: 0.1, height: 1, opacity: 1 }
  if (character === '┃') return { left: 0.38, top: 0, width: 0.24, height: 1, opacity: 1 }
  return undefined
}

function styled(before, codes) {
  let style = before
  for (const code of codes.split(';').map(Number)) {
    if (code === 0) style = PLAIN
    else if (code === 1) style = { ...style, isBold: true }
    else if (code === 2) style = { ...style, isDim: true }
    else if (code === 22) style = { ...style, isBold: false, isDim: false }
    else if (code === 39) style = { ...style, color: TEXT }
    else if (code >= 30 && code <= 37) style = { ...style, color: COLOURS[code - 30] }
    else if (code >= 90 && code <= 97) style = { ...style, color: BRIGHT[code - 90] }
  }
  return style
}

const round = (value) => Number(value.toFixed(1))
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
