/**
 * Rules about several fields at once, for the OpenAPI document alone: a schema could not name the field
 * that breaks one, so `participant-request.ts` checks them.
 */

/** In a path, `.` and `..` would be taken for steps rather than for an ID. */
export const NO_PATH_STEP = '^(?!\\.{1,2}$)'

/** `delay_id` and `delay_timeout` come together or not at all. */
export const DELAY_RULE = {
  if: { properties: { delay_id: { enum: ['', null] }, delay_timeout: { enum: [0, null] } } },
  else: {
    required: ['delay_id', 'delay_timeout'],
    properties: {
      delay_id: { type: 'string', minLength: 1, pattern: NO_PATH_STEP },
      delay_timeout: { type: 'integer', minimum: 1 },
    },
  },
}

/** Behind a server name without a port, a device ID must not begin like one. */
export const DEVICE_ID_RULE = {
  if: { properties: { device_id: { pattern: '^(?!\\d{1,5}:)' } } },
  else: {
    properties: {
      openid_token: { properties: { matrix_server_name: { pattern: ':\\d{1,5}$' } } },
    },
  },
}
