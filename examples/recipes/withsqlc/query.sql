-- name: AddUser :one
INSERT INTO users (email, name) VALUES (?, ?) RETURNING id;

-- name: User :one
SELECT * FROM users WHERE id = ?;

-- name: RenameUser :exec
UPDATE users SET name = ? WHERE id = ?;

-- name: DeleteUser :exec
UPDATE users SET deleted_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = ?;

-- name: TeamsOf :many
SELECT t.name FROM teams t JOIN team_members m ON m.team_id = t.id WHERE m.user_id = ? ORDER BY t.name;

-- name: JoinEveryone :exec
INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM teams t, users u WHERE t.name = 'Everyone' AND u.id = ?;

-- name: RolesOf :many
SELECT id, role FROM users WHERE role <> 'member' AND id IN (sqlc.slice('ids'));

-- name: SetRole :exec
UPDATE users SET role = ? WHERE id = ?;
