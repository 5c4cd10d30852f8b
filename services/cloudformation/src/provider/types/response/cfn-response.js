// How the function of a custom resource answers: the interface is that of AWS's module of the same name.
'use strict';

exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

/** Puts the answer to where the request says, then ends the invocation where it has a `context.done`. */
exports.send = (event, context, responseStatus, responseData, physicalResourceId, noEcho, reason) => {
  const body = JSON.stringify({
    Status: responseStatus,
    Reason: reason || `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: responseData,
  });
  const url = new URL(event.ResponseURL);
  const options = { method: 'PUT', headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) } };
  return new Promise((resolve) => {
    const end = () => {
      if (typeof context.done === 'function') context.done();
      resolve();
    };
    const request = require(url.protocol === 'http:' ? 'http' : 'https').request(url, options, (answer) => {
      console.log(`Status code: ${answer.statusCode}`);
      answer.resume();
      end();
    });
    request.on('error', (error) => {
      console.log(`send(..) failed executing the request: ${error}`);
      end();
    });
    request.end(body);
  });
};
