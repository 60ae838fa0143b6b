/**
 * Rules across fields, for the OpenAPI document only. `participant-request.ts` and `member-routes.ts`
 * enforce them, since the framework's schema error could not name the wrong field.
 */

/** Not `.` or `..`, which would be path steps in a URL. */
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

/** A device ID must not begin like a port if the server name has none. */
export const DEVICE_ID_RULE = {
  if: { properties: { device_id: { pattern: '^(?!\\d{1,5}:)' } } },
  else: {
    properties: {
      openid_token: { properties: { matrix_server_name: { pattern: ':\\d{1,5}$' } } },
    },
  },
}

/** The member ID is in `member_id`, or in `member`. */
export const MEMBER_ID_RULE = {
  if: { required: ['member_id'], properties: { member_id: { type: 'string' } } },
  else: { required: ['member'], properties: { member: { type: 'object' } } },
}
