/** Version numbers of first messages that ask for something before the start: TLS, GSS encryption, a cancel. */
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

const SIMPLE_QUERY = 'Q'.charCodeAt(0);
const EXECUTE = 'E'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);

/** Bytes of a message's type and length, and of a first message's length and version. */
const TYPED_HEADER = 5;
const FIRST_HEADER = 8;

/**
 * Counts statements and round trips in what a client sends: the frontend's side of PostgreSQL's protocol, version 3. A
 * message may come in pieces; only its header is kept.
 */
export class FrontendReader {
  statements = 0;
  /** Messages that the server answers before the client goes on: simple queries, and each Sync behind others. */
  roundTrips = 0;
  /** The session has begun: neither a cancel request nor a connection that was tried and closed. */
  started = false;
  encrypted = false;
  #header = Buffer.alloc(0);
  /** Bytes of the current message's body that have not come yet. */
  #body = 0;
  #asked = false;

  /** Takes what the client sent. */
  sent(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.encrypted) {
      const skipped = Math.min(this.#body, rest.length);
      this.#body -= skipped;
      rest = rest.subarray(skipped);
      const length = this.started ? TYPED_HEADER : FIRST_HEADER;
      const taken = rest.subarray(0, length - this.#header.length);
      this.#header = Buffer.concat([this.#header, taken]);
      rest = rest.subarray(taken.length);
      if (this.#header.length < length) return;
      const header = this.#header;
      this.#header = Buffer.alloc(0);
      if (this.started) this.#typed(header);
      else this.#first(header);
    }
  }

  /** Takes what the server sent: the answer to a request for encryption tells what follows. */
  received(chunk: Buffer): void {
    if (!this.#asked || chunk.length === 0) return;
    this.#asked = false;
    this.encrypted = chunk[0] === 'S'.charCodeAt(0) || chunk[0] === 'G'.charCodeAt(0);
  }

  #first(header: Buffer): void {
    this.#body = header.readInt32BE(0) - FIRST_HEADER;
    const version = header.readInt32BE(4);
    this.#asked = version === SSL_REQUEST || version === GSS_REQUEST;
    this.started = !this.#asked && version !== CANCEL_REQUEST;
  }

  #typed(header: Buffer): void {
    // The length counts itself and not the type.
    this.#body = header.readInt32BE(1) + 1 - TYPED_HEADER;
    if (header[0] === SIMPLE_QUERY || header[0] === EXECUTE) this.statements += 1;
    if (header[0] === SIMPLE_QUERY || header[0] === SYNC) this.roundTrips += 1;
  }
}
