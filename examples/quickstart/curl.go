package main

import (
	"io"
	"strings"
	"text/template"
)

// curlTemplate is what an identity provider sends, as lines for bash. The server makes
// the ids, so the lines keep those of its answers.
var curlTemplate = template.Must(template.New("curl").Funcs(template.FuncMap{"quote": quote}).Parse(`
# Paste these lines into bash, in order, with the page open in a browser.
API={{quote (print .URL "/scim/v2")}}
H=(-sS -H {{quote (print "Authorization: Bearer " .Token)}} -H 'Content-Type: application/scim+json')
id_of() { sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'; }

# Create a user.
USER_ID=$(curl "${H[@]}" "$API/Users" -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"}}' | id_of); echo "user $USER_ID"

# Look it up by its name.
curl "${H[@]}" "$API/Users" -G --data-urlencode 'filter=userName eq "ada@example.com"'; echo

# Create a group with the name of a role.
GROUP_ID=$(curl "${H[@]}" "$API/Groups" -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editor"}' | id_of); echo "group $GROUP_ID"

# Add the user to the group.
curl "${H[@]}" -w '%{http_code}\n' -X PATCH "$API/Groups/$GROUP_ID" -d '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"'$USER_ID'"}]}]}'

# See which roles the page shows.
curl -sS -b {{quote (print "quickstart=" .Key)}} {{quote (print .URL "/")}} | sed -n 's/.*<li>\(.*\)<\/li>.*/\1/p'

# Remove the user from the group, and look again.
curl "${H[@]}" -w '%{http_code}\n' -X PATCH "$API/Groups/$GROUP_ID" -d '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"'$USER_ID'\"]"}]}'
curl -sS -b {{quote (print "quickstart=" .Key)}} {{quote (print .URL "/")}} | sed -n 's/.*<li>\(.*\)<\/li>.*/\1/p'

# Delete both.
curl "${H[@]}" -w '%{http_code}\n' -X DELETE "$API/Groups/$GROUP_ID"
curl "${H[@]}" -w '%{http_code}\n' -X DELETE "$API/Users/$USER_ID"
`))

func printCurl(out io.Writer, url, token, key string) error {
	return curlTemplate.Execute(out, struct{ URL, Token, Key string }{url, token, key})
}

// quote returns s as one word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
