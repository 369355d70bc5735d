// Texts from Redis as JSON: whoever wrote them may be of another version, or nobody of ours.

/** What the text says; null when it is no JSON. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
