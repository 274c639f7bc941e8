const http = require('http');
const { open } = require('./visits');

async function serve(port) {
  const visits = await open();
  const server = http.createServer(async (request, response) => {
    const seen = await visits.visit(request.url);
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ page: request.url, visits: Number(seen) }));
  });
  server.on('close', () => visits.close());
  return new Promise((resolve) => server.listen(port, () => resolve(server)));
}

module.exports = { serve };

if (require.main === module) {
  serve(Number(process.env.PORT || 3000)).then(() => console.log('listening'));
}
