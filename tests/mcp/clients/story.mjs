// The story of an agent with clients that others wrote: @modelcontextprotocol/client 2 in both eras, or
// @modelcontextprotocol/sdk 1. They check what comes against their own schemas and the tools' outputSchema.
//
// usage: node story.mjs modern|legacy|sdk PYRO|URL IMAGE OUTPUT
// Over HTTP the token is in the variable PYRO_TOKEN.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [, , kind, where, image, output] = process.argv;
const isUrl = where.startsWith('http');
const server = { command: where, args: ['mcp', 'serve', '--profile', 'workspace'], env: process.env, stderr: 'inherit' };
const http = { requestInit: { headers: { Authorization: `Bearer ${process.env.PYRO_TOKEN}` } } };

async function connected() {
  if (kind === 'sdk') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const client = new Client({ name: 'story', version: '1' });
    await client.connect(
      isUrl ? new StreamableHTTPClientTransport(new URL(where), http) : new StdioClientTransport(server));
    return client;
  }
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const client = new Client(
    { name: 'story', version: '1' },
    { versionNegotiation: { mode: kind === 'modern' ? { pin: '2026-07-28' } : 'legacy' } });
  await client.connect(
    isUrl ? new StreamableHTTPClientTransport(new URL(where), http) : new StdioClientTransport(server));
  assert.equal(client.getProtocolEra(), kind);
  return client;
}

const client = await connected();
const ok = async (name, args = {}) => {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.isError ?? false, false, `${name}: ${JSON.stringify(result)}`);
  return result.structuredContent;
};
const tools = (await client.listTools()).tools;
assert(tools.length > 12, 'the profile has many tools');
assert((await client.listResources()).resources.length > 0);
assert((await client.listPrompts()).prompts.length > 0);

const { workspace_id } = await ok('workspace_create', { environment: `dir:${image}` });
const run = (command) => ok('workspace_exec', { workspace_id, command });
assert.equal((await run('echo good > result')).exit_code, 0);
await ok('snapshot_create', { workspace_id, snapshot_name: 'good' });
assert.equal((await run('rm /bin/sh')).exit_code, 0);
assert.notEqual((await run('true')).exit_code, 0);
await ok('workspace_reset', { workspace_id, snapshot: 'good' });
assert.equal((await run('cat result')).stdout, 'good\n');
const diff = await ok('workspace_diff', { workspace_id });
assert.deepEqual(diff.entries.map((entry) => entry.path), ['result']);
await ok('workspace_export', { workspace_id, path: 'result', output_path: output });
assert.equal(readFileSync(output, 'utf8'), 'good\n');
const read = await client.readResource({ uri: `pyro://workspace/${workspace_id}/logs` });
assert(JSON.parse(read.contents[0].text).count > 0);
const failed = await client.callTool({ name: 'workspace_exec', arguments: { workspace_id: 'none', command: 'true' } });
assert.equal(failed.isError, true);
await ok('workspace_delete', { workspace_id });
await client.close();
console.log(`${kind}, ${isUrl ? 'HTTP' : 'stdio'}: ${tools.length} tools`);
