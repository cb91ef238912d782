// Talking to the playground.

/** get fetches JSON; what is refused is an Error with a sentence. */
export async function get(path) {
  return read(await fetch(path, { headers: { Accept: "application/json" } }));
}

/** post sends JSON and reads JSON. */
export async function post(path, body) {
  return read(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  }));
}

/** remove deletes something. */
export async function remove(path) {
  return read(await fetch(path, { method: "DELETE" }));
}

async function read(response) {
  const text = await response.text();
  let body = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    body = { error: text };
  }
  if (!response.ok) throw new Error(body.error || `answered ${response.status}`);
  return body;
}
