import assert from 'node:assert/strict';
import { errorStatus } from '../../src/core/domain/errors';
import { endpoints } from '../../src/wire/endpoints';
import { openApiDocument } from '../../src/wire/openapi';

type Json = Record<string, unknown>;
const document = openApiDocument(endpoints);
const paths = document.paths as Record<string, Record<string, Json>>;

function everyObject(value: unknown, visit: (object: Json) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Json);
  for (const inner of Object.values(value)) everyObject(inner, visit);
}

describe('wire/openapi', () => {
  it('every route of the table is in it, once, with its own operationId', () => {
    const listed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(listed.sort(), endpoints.map(({ method, path }) => `${method} ${path}`).sort());
    assert.equal(new Set(endpoints.map(({ operationId }) => operationId)).size, endpoints.length);
  });

  it('has the fields that OpenAPI 3.1 demands', () => {
    assert.match(String(document.openapi), /^3\.1\.\d+$/);
    const info = document.info as Json;
    assert.ok(info.title && info.version);
    for (const [path, methods] of Object.entries(paths)) {
      assert.match(path, /^\/api\//);
      for (const operation of Object.values(methods)) {
        assert.ok(typeof operation.operationId === 'string' && typeof operation.summary === 'string');
        const parameters = (operation.parameters ?? []) as Json[];
        for (const parameter of parameters) {
          assert.ok(['path', 'query', 'header'].includes(String(parameter.in)), JSON.stringify(parameter));
          assert.equal(typeof parameter.schema, 'object');
          if (parameter.in === 'path') assert.equal(parameter.required, true);
        }
        assert.equal(
          parameters.some(({ name }) => name === 'id'),
          path.includes('{id}'),
        );
        for (const [status, response] of Object.entries(operation.responses as Record<string, Json>)) {
          assert.match(status, /^\d{3}$/);
          assert.ok(typeof response.description === 'string' && typeof response.content === 'object');
        }
      }
    }
  });

  it('every reference leads somewhere', () => {
    everyObject(document, (object) => {
      if (typeof object.$ref !== 'string') return;
      let at: unknown = document;
      for (const part of object.$ref.replace('#/', '').split('/')) at = (at as Json)[part];
      assert.equal(typeof at, 'object', object.$ref);
    });
  });

  it('every type of error stands in the error body, and every status at some route', () => {
    const components = document.components as { schemas: { Error: { properties: Record<string, Json> } } };
    assert.deepEqual(components.schemas.Error.properties.error_type?.enum, Object.keys(errorStatus));
    const statuses = new Set(
      Object.values(paths).flatMap((methods) =>
        Object.values(methods).flatMap(({ responses }) => Object.keys(responses as Json)),
      ),
    );
    // 405 is of paths with another method, so it belongs to no operation.
    const expected = new Set([...Object.values(errorStatus), 408, 431].filter((status) => status !== 405).map(String));
    for (const status of expected) assert.ok(statuses.has(status), status);
  });

  it('requests show what is sent: bounds, defaults, numbers as text', () => {
    const register = paths['/api/strategy/register']?.post ?? {};
    const text = JSON.stringify(register.requestBody);
    assert.match(text, /"required":\["strategy_type"\]/);
    assert.match(text, /"capital":\{.*?"exclusiveMinimum":0/);
    const list = paths['/api/strategy']?.get ?? {};
    assert.match(JSON.stringify(list.parameters), /"name":"limit".*"maximum":1000/);
  });

  it('is plain JSON', () => assert.deepEqual(JSON.parse(JSON.stringify(document)), document));
});
