// What a client that cannot send a token speaks to: passes all on to URL with the token in TOKEN_FILE, and prints the port
// that it listens at.
//
// usage: node proxy.mjs URL TOKEN_FILE
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const [, , url, tokenFile] = process.argv;
const authorization = `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`;
const server = createServer((incoming, outgoing) => {
  const onward = request(
    url, { method: incoming.method, headers: { ...incoming.headers, authorization }, agent: false },
    (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => onward.destroy());
  incoming.pipe(onward);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
