/** What this package uses of the client of AWS Organizations. */

export { ListAccountsCommand, OrganizationsClient } from "@aws-sdk/client-organizations";
