/** What a terminal would obey or hide, and JSON leaves as it is. */
const INVISIBLE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function hexOfUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** As JSON has it: `\uXXXX`, twice for what is beyond 16 bits. */
function escapedForJson(character: string): string {
  return character.split('').map(hexOfUnit).join('')
}

function escapedForPeople(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}

/** The same JSON, with nothing in its strings that a terminal would obey or hide. */
export function visibleJson(json: string): string {
  // Such characters can only be inside the strings.
  return json.replace(INVISIBLE_IN_JSON, escapedForJson)
}

/** A text for people, in one line, with nothing that a terminal would obey or hide. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, escapedForPeople)
}
