// The service of the article that edge-users comes from: users in a slice, behind
// chi and encoding/json. Corrected: it compiles, says that it speaks JSON, decodes
// what it is sent, checks errors, and locks what several goroutines use.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-chi/chi/v5"
)

type User struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

var (
	mutex sync.RWMutex
	users []User
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3000", "where to listen")
	count := flag.Int("users", 3, "how many users there are before the first request")
	flag.Parse()
	for id := 1; id <= *count; id++ {
		name := fmt.Sprintf("User %07d", id)
		email := fmt.Sprintf("user%07d@example.com", id)
		users = append(users, User{ID: id, Name: name, Email: email})
	}
	router := chi.NewRouter()
	router.Get("/users", getUsers)
	router.Get("/users/{id}", getUser)
	router.Post("/users", createUser)
	log.Fatal(http.ListenAndServe(*listen, router))
}

func getUsers(w http.ResponseWriter, r *http.Request) {
	mutex.RLock()
	defer mutex.RUnlock()
	respond(w, http.StatusOK, users)
}

func getUser(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(chi.URLParam(r, "id"))
	if err != nil {
		http.Error(w, "User not found", http.StatusNotFound)
		return
	}
	mutex.RLock()
	defer mutex.RUnlock()
	for _, user := range users {
		if user.ID == id {
			respond(w, http.StatusOK, user)
			return
		}
	}
	http.Error(w, "User not found", http.StatusNotFound)
}

func createUser(w http.ResponseWriter, r *http.Request) {
	var user User
	if err := json.NewDecoder(r.Body).Decode(&user); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	mutex.Lock()
	user.ID = len(users) + 1
	users = append(users, user)
	mutex.Unlock()
	respond(w, http.StatusCreated, user)
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
